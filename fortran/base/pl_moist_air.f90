!> Saturation vapour pressure and specific humidity over water and over ice.
!>
!> Flatau, Walko and Cotton (1992), J. Appl. Meteorol. 31, 1507-1513: eighth-order polynomials, over liquid water valid
!> from -75 to 100 degrees C, over ice from -75 to 0 degrees C (temperatures are clamped to that range).
module pl_moist_air
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: saturation_chunk, saturation_chunk_ice, saturation_humidity, saturation_humidity_ice, saturation_pressure
   public :: vapour_pressure

   real(rk), parameter :: lowest = -75.0_rk, highest = 100.0_rk !! range of the polynomials [degC]
   real(rk), parameter :: molar_ratio = 0.622_rk                !! water vapour to dry air [1]
   real(rk), parameter :: a(0:8) = [6.11213476_rk, 4.44007856e-1_rk, 1.43064234e-2_rk, 2.64461437e-4_rk, &
                                    3.05903558e-6_rk, 1.96237241e-8_rk, 8.92344772e-11_rk, &
                                    -3.73208410e-13_rk, 2.09339997e-16_rk] !! pressure [hPa]
   real(rk), parameter :: b(0:8) = [4.44017302e-1_rk, 2.86064092e-2_rk, 7.94683137e-4_rk, 1.21211669e-5_rk, &
                                    1.03354611e-7_rk, 4.04125005e-10_rk, -7.88037859e-13_rk, &
                                    -1.14596802e-14_rk, 3.81294516e-17_rk] !! derivative [hPa K-1]
   real(rk), parameter :: c(0:8) = [6.11123516_rk, 5.03109514e-1_rk, 1.88369801e-2_rk, 4.20547422e-4_rk, &
                                    6.14396778e-6_rk, 6.02780717e-8_rk, 3.87940929e-10_rk, &
                                    1.49436277e-12_rk, 2.62655803e-15_rk] !! pressure over ice [hPa]
   real(rk), parameter :: d(0:8) = [5.03277922e-1_rk, 3.77289173e-2_rk, 1.26801703e-3_rk, 2.49468427e-5_rk, &
                                    3.13703411e-7_rk, 2.57180651e-9_rk, 1.33268878e-11_rk, &
                                    3.94116744e-14_rk, 4.98070196e-17_rk] !! its derivative [hPa K-1]

contains

   !> Saturation vapour pressure over water and its derivative.
   elemental subroutine saturation_pressure(temperature, pressure, slope)
      real(rk), intent(in) :: temperature !! temperature [K]
      real(rk), intent(out) :: pressure   !! saturation vapour pressure [Pa]
      real(rk), intent(out) :: slope      !! derivative to temperature [Pa K-1]
      real(rk) :: t
      t = min(max(temperature - freezing_point, lowest), highest)
      pressure = 100.0_rk*(a(0) + t*(a(1) + t*(a(2) + t*(a(3) + t*(a(4) + t*(a(5) + t*(a(6) + t*(a(7) + t*a(8)))))))))
      slope = 100.0_rk*(b(0) + t*(b(1) + t*(b(2) + t*(b(3) + t*(b(4) + t*(b(5) + t*(b(6) + t*(b(7) + t*b(8)))))))))
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
      de = 100.0_rk*(d(0) + t*(d(1) + t*(d(2) + t*(d(3) + t*(d(4) + t*(d(5) + t*(d(6) + t*(d(7) + t*d(8)))))))))
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
