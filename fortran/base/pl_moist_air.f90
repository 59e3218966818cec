!> Saturation vapour pressure and specific humidity over water and over ice.
!>
!> Flatau, Walko and Cotton (1992), J. Appl. Meteorol. 31, 1507-1513: eighth-order polynomials. Over water the fit of
!> least relative error (their table 4), within 0.2 % from -40 to 70 degrees C and 5 % at -60; the fit of table 3, which
!> CLM uses above the freezing point, is four times too high at -40. Over ice from -75 to 0 degrees C. Temperatures are
!> clamped to the ranges below. Slopes are the derivatives of the polynomials.
module pl_moist_air
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: saturation_chunk, saturation_chunk_ice, saturation_humidity, saturation_humidity_ice, saturation_pressure
   public :: vapour_pressure

   real(rk), parameter :: lowest = -75.0_rk, highest = 100.0_rk !! temperatures that the polynomials are used for [degC]
   real(rk), parameter :: molar_ratio = 0.622_rk                !! water vapour to dry air [1]
   real(rk), parameter :: a(0:8) = [6.11583699_rk, 4.44606896e-1_rk, 1.43177157e-2_rk, 2.64224321e-4_rk, &
                                    2.99291081e-6_rk, 2.03154182e-8_rk, 7.02620698e-11_rk, &
                                    3.79534310e-14_rk, -3.21582393e-16_rk] !! pressure over water [hPa]
   real(rk), parameter :: b(0:7) = [a(1), 2.0_rk*a(2), 3.0_rk*a(3), 4.0_rk*a(4), 5.0_rk*a(5), 6.0_rk*a(6), 7.0_rk*a(7), &
                                    8.0_rk*a(8)] !! its derivative [hPa K-1]
   real(rk), parameter :: c(0:8) = [6.11123516_rk, 5.03109514e-1_rk, 1.88369801e-2_rk, 4.20547422e-4_rk, &
                                    6.14396778e-6_rk, 6.02780717e-8_rk, 3.87940929e-10_rk, &
                                    1.49436277e-12_rk, 2.62655803e-15_rk] !! pressure over ice [hPa]
   real(rk), parameter :: d(0:7) = [c(1), 2.0_rk*c(2), 3.0_rk*c(3), 4.0_rk*c(4), 5.0_rk*c(5), 6.0_rk*c(6), 7.0_rk*c(7), &
                                    8.0_rk*c(8)] !! its derivative [hPa K-1]

contains

   !> Saturation vapour pressure over water and its derivative.
   elemental subroutine saturation_pressure(temperature, pressure, slope)
      real(rk), intent(in) :: temperature !! temperature [K]
      real(rk), intent(out) :: pressure   !! saturation vapour pressure [Pa]
      real(rk), intent(out) :: slope      !! derivative to temperature [Pa K-1]
      real(rk) :: t
      t = min(max(temperature - freezing_point, lowest), highest)
      pressure = 100.0_rk*(a(0) + t*(a(1) + t*(a(2) + t*(a(3) + t*(a(4) + t*(a(5) + t*(a(6) + t*(a(7) + t*a(8)))))))))
      slope = 100.0_rk*(b(0) + t*(b(1) + t*(b(2) + t*(b(3) + t*(b(4) + t*(b(5) + t*(b(6) + t*b(7))))))))
   end subroutine saturation_pressure

   !> Saturation specific humidity over water and its derivative.
   elemental subroutine saturation_humidity(temperature, air_pressure, humidity, slope)
      real(rk), intent(in) :: temperature  !! temperature [K]
      real(rk), intent(in) :: air_pressure !! air pressure [Pa]
      real(rk), intent(out) :: humidity    !! saturation specific humidity [kg kg-1]
      real(rk), intent(out) :: slope       !! derivative to temperature [kg kg-1 K-1]
      real(rk) :: e, de, scale
      call saturation_pressure(temperature, e, de)
      scale = 1.0_rk/(air_pressure - (1.0_rk - molar_ratio)*e)
      humidity = molar_ratio*e*scale
      slope = molar_ratio*air_pressure*scale*scale*de
   end subroutine saturation_humidity

   !> Saturation specific humidity over ice and its derivative.
   elemental subroutine saturation_humidity_ice(temperature, air_pressure, humidity, slope)
      real(rk), intent(in) :: temperature  !! of ice; above the freezing point that counts [K]
      real(rk), intent(in) :: air_pressure !! air pressure [Pa]
      real(rk), intent(out) :: humidity    !! saturation specific humidity [kg kg-1]
      real(rk), intent(out) :: slope       !! derivative to temperature [kg kg-1 K-1]
      real(rk) :: e, de, scale, t
      t = min(max(temperature - freezing_point, lowest), 0.0_rk)
      e = 100.0_rk*(c(0) + t*(c(1) + t*(c(2) + t*(c(3) + t*(c(4) + t*(c(5) + t*(c(6) + t*(c(7) + t*c(8)))))))))
      de = 100.0_rk*(d(0) + t*(d(1) + t*(d(2) + t*(d(3) + t*(d(4) + t*(d(5) + t*(d(6) + t*d(7))))))))
      scale = 1.0_rk/(air_pressure - (1.0_rk - molar_ratio)*e)
      humidity = molar_ratio*e*scale
      slope = molar_ratio*air_pressure*scale*scale*de
   end subroutine saturation_humidity_ice

   !> Saturation specific humidity over ice of a chunk: for hot loops of other modules.
   pure subroutine saturation_chunk_ice(temperature, air_pressure, humidity, slope)
      real(rk), intent(in) :: temperature(w)  !! of ice; above the freezing point that counts [K]
      real(rk), intent(in) :: air_pressure(w) !! air pressure [Pa]
      real(rk), intent(out) :: humidity(w)    !! saturation specific humidity [kg kg-1]
      real(rk), intent(out) :: slope(w)       !! derivative to temperature [kg kg-1 K-1]
      integer :: i
      do i = 1, w
         call saturation_humidity_ice(temperature(i), air_pressure(i), humidity(i), slope(i))
      end do
   end subroutine saturation_chunk_ice

   !> Saturation vapour pressure and specific humidity of a chunk: for hot loops of other modules.
   pure subroutine saturation_chunk(temperature, air_pressure, pressure, humidity, slope)
      real(rk), intent(in) :: temperature(w)  !! temperature [K]
      real(rk), intent(in) :: air_pressure(w) !! air pressure [Pa]
      real(rk), intent(out) :: pressure(w)    !! saturation vapour pressure [Pa]
      real(rk), intent(out) :: humidity(w)    !! saturation specific humidity [kg kg-1]
      real(rk), intent(out) :: slope(w)       !! derivative of humidity to temperature [kg kg-1 K-1]
      real(rk) :: de, scale
      integer :: i
      do i = 1, w
         call saturation_pressure(temperature(i), pressure(i), de)
         scale = 1.0_rk/(air_pressure(i) - (1.0_rk - molar_ratio)*pressure(i))
         humidity(i) = molar_ratio*pressure(i)*scale
         slope(i) = molar_ratio*air_pressure(i)*scale*scale*de
      end do
   end subroutine saturation_chunk

   !> Vapour pressure of air.
   elemental function vapour_pressure(humidity, air_pressure) result(pressure)
      real(rk), intent(in) :: humidity     !! specific humidity [kg kg-1]
      real(rk), intent(in) :: air_pressure !! air pressure [Pa]
      real(rk) :: pressure                 !! vapour pressure [Pa]
      pressure = humidity*air_pressure/(molar_ratio + (1.0_rk - molar_ratio)*humidity)
   end function vapour_pressure

end module pl_moist_air
