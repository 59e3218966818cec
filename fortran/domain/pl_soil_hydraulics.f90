!> Soil water retention and relative conductivity, and their derivatives, in one fused evaluation.
!>
!> van Genuchten (1980), Soil Sci. Soc. Am. J. 44, 892-898, with Mualem's conductivity (l = 0.5) and the air-entry
!> head of Ippisch, Vogel and Bastian (2006), Adv. Water Resour. 29, 1780-1789, without which conductivity has an
!> infinite slope at saturation for n < 2; Clapp and Hornberger (1978), Water Resour. Res. 14, 601-604; Gardner
!> (1958), Soil Sci. 85, 228-232. Heads are in m, negative in unsaturated soil. Curves are prepared
!> (`prepare_curves`, or `fill_curves` with stored factors), so that an evaluation costs four transcendental functions (van Genuchten) or three: with
!> u = (alpha h)**n, the power u**m of Mualem's term is u/(alpha h), because n m = n - 1.
module pl_soil_hydraulics
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: air_entry_head, curve_count, driest_head, entry_factors, evaluate_soil, fill_curves, head_of_water
   public :: prepare_curves, water_of_head
   public :: retention_clapp_hornberger, retention_gardner, retention_van_genuchten

   integer, parameter :: retention_van_genuchten = 1, retention_clapp_hornberger = 2, retention_gardner = 3
   real(rk), parameter :: air_entry_head = 0.01_rk !! default air-entry head of van Genuchten soils [m]
   real(rk), parameter :: driest_head = -1.0e5_rk  !! oven-dry soil, pF 7; the driest that roots and evaporation leave [m]
   real(rk), parameter :: smallest_head = 1.0e-6_rk !! suction below which soil counts as saturated without air entry [m]
   real(rk), parameter :: series_range = 1.0e-3_rk !! y below which 1 - (1 - y)**m takes its series [1]
   real(rk), parameter :: largest_power = 200.0_rk !! of ln (alpha h)**n: keeps exponentials finite

   ! columns of the prepared curves
   integer, parameter :: inverse_length = 1 !! alpha, or 1 over the air-entry head [m-1]
   integer, parameter :: power = 2     !! n, or 1/b
   integer, parameter :: outer = 3     !! m = 1 - 1/n, or 2 + 3/b
   integer, parameter :: entry = 4     !! suction at air entry [m]
   integer, parameter :: inverse_saturation = 5   !! 1 over the unscaled saturation at air entry
   integer, parameter :: inverse_conductivity = 6 !! 1 over the unscaled Mualem term at air entry
   integer, parameter :: curve_count = 6          !! prepared numbers per layer

contains

   !> Prepare the curves of every layer from their parameters.
   pure subroutine prepare_curves(scheme, nlayer, air_entry, scale, shape, curves)
      integer, intent(in) :: scheme              !! retention_*
      integer, intent(in) :: nlayer              !! [1]
      real(rk), intent(in) :: air_entry          !! air-entry head of van Genuchten soils [m]
      real(rk), intent(in) :: scale(w, nlayer)   !! van Genuchten or Gardner alpha [m-1], or air-entry head [m]
      real(rk), intent(in) :: shape(w, nlayer)   !! n or b [1]; not used by Gardner
      real(rk), intent(out) :: curves(w, curve_count, nlayer)
      real(rk) :: saturation_factor(w, nlayer), conductivity_factor(w, nlayer)
      call entry_factors(scheme, air_entry, scale, shape, saturation_factor, conductivity_factor)
      call fill_curves(scheme, nlayer, air_entry, scale, shape, saturation_factor, conductivity_factor, curves)
   end subroutine prepare_curves

   !> The part of the curves that costs transcendental functions: factors that make both 1 at air entry.
   elemental subroutine entry_factors(scheme, air_entry, scale, shape, saturation_factor, conductivity_factor)
      integer, intent(in) :: scheme                !! retention_*
      real(rk), intent(in) :: air_entry            !! air-entry head of van Genuchten soils [m]
      real(rk), intent(in) :: scale                !! as in prepare_curves
      real(rk), intent(in) :: shape                !! as in prepare_curves
      real(rk), intent(out) :: saturation_factor   !! 1 over the unscaled saturation at air entry [1]
      real(rk), intent(out) :: conductivity_factor !! 1 over the unscaled Mualem term at air entry [1]
      real(rk) :: m, log_u, log_1u
      saturation_factor = 1.0_rk
      conductivity_factor = 1.0_rk
      if (scheme /= retention_van_genuchten) return
      m = 1.0_rk - 1.0_rk/shape
      log_u = min(shape*log(scale*max(air_entry, smallest_head)), largest_power)
      log_1u = log(1.0_rk + exp(log_u))
      saturation_factor = exp(m*log_1u)
      conductivity_factor = 1.0_rk/(1.0_rk - exp(m*(log_u - log_1u)))
   end subroutine entry_factors

   !> Curves of every layer from parameters and entry factors.
   pure subroutine fill_curves(scheme, nlayer, air_entry, scale, shape, saturation_factor, conductivity_factor, curves)
      integer, intent(in) :: scheme              !! retention_*
      integer, intent(in) :: nlayer              !! [1]
      real(rk), intent(in) :: air_entry          !! as in prepare_curves [m]
      real(rk), intent(in) :: scale(w, nlayer)   !! as in prepare_curves
      real(rk), intent(in) :: shape(w, nlayer)   !! as in prepare_curves
      real(rk), intent(in) :: saturation_factor(w, nlayer)   !! from entry_factors [1]
      real(rk), intent(in) :: conductivity_factor(w, nlayer) !! from entry_factors [1]
      real(rk), intent(out) :: curves(w, curve_count, nlayer)
      integer :: i, k
      do k = 1, nlayer
         select case (scheme)
         case (retention_van_genuchten)
            do i = 1, w
               curves(i, inverse_length, k) = scale(i, k)
               curves(i, power, k) = shape(i, k)
               curves(i, outer, k) = 1.0_rk - 1.0_rk/shape(i, k)
               curves(i, entry, k) = max(air_entry, smallest_head)
            end do
         case (retention_clapp_hornberger)
            do i = 1, w
               curves(i, inverse_length, k) = 1.0_rk/scale(i, k)
               curves(i, power, k) = 1.0_rk/shape(i, k)
               curves(i, outer, k) = 2.0_rk + 3.0_rk/shape(i, k)
               curves(i, entry, k) = scale(i, k)
            end do
         case default ! Gardner
            do i = 1, w
               curves(i, inverse_length, k) = scale(i, k)
               curves(i, power, k) = 1.0_rk
               curves(i, outer, k) = 1.0_rk
               curves(i, entry, k) = 0.0_rk
            end do
         end select
         do i = 1, w
            curves(i, inverse_saturation, k) = saturation_factor(i, k)
            curves(i, inverse_conductivity, k) = conductivity_factor(i, k)
         end do
      end do
   end subroutine fill_curves

   !> Saturation and relative conductivity with their derivatives, one layer.
   pure subroutine evaluate_soil(scheme, curves, head, saturation, saturation_slope, conductivity, conductivity_slope)
      integer, intent(in) :: scheme               !! retention_*
      real(rk), intent(in) :: curves(w, curve_count) !! of the layer
      real(rk), intent(in) :: head(w)             !! [m]
      real(rk), intent(out) :: saturation(w)      !! effective saturation [1]
      real(rk), intent(out) :: saturation_slope(w) !! derivative to head [m-1]
      real(rk), intent(out) :: conductivity(w)    !! relative conductivity [1]
      real(rk), intent(out) :: conductivity_slope(w) !! derivative to head [m-1]
      real(rk) :: h, ah, log_u, u, y, g, f, n, m, shape, logarithm, rate
      logical :: is_dry
      integer :: i
      select case (scheme)
      case (retention_van_genuchten)
         !$omp simd private(is_dry, h, n, m, ah, log_u, u, logarithm, y, shape, g, f, rate)
         do i = 1, w
            is_dry = -head(i) > curves(i, entry)
            h = max(-head(i), curves(i, entry))
            n = curves(i, power)
            m = curves(i, outer)
            ah = h*curves(i, inverse_length)
            log_u = min(n*log(ah), largest_power)
            u = exp(log_u)
            logarithm = log(1.0_rk + u)
            y = 1.0_rk/(1.0_rk + u)
            shape = exp(-m*logarithm)
            g = u/ah*shape
            ! 1 - (1 - y)**m, by its series where the difference would cancel
            f = merge(small_power(m, y), 1.0_rk - g, y < series_range)
            rate = m*n*y/h
            saturation(i) = merge(shape*curves(i, inverse_saturation), 1.0_rk, is_dry)
            saturation_slope(i) = merge(saturation(i)*rate*u, 0.0_rk, is_dry)
            conductivity(i) = merge(sqrt(saturation(i))*(f*curves(i, inverse_conductivity))**2, 1.0_rk, is_dry)
            conductivity_slope(i) = merge(conductivity(i)*rate*(0.5_rk*u + 2.0_rk*g/f), 0.0_rk, is_dry)
         end do
      case (retention_clapp_hornberger)
         do i = 1, w
            is_dry = -head(i) > curves(i, entry)
            h = max(-head(i), curves(i, entry))
            log_u = log(h*curves(i, inverse_length))
            saturation(i) = merge(exp(-curves(i, power)*log_u), 1.0_rk, is_dry)
            saturation_slope(i) = merge(saturation(i)*curves(i, power)/h, 0.0_rk, is_dry)
            conductivity(i) = merge(exp(-curves(i, outer)*log_u), 1.0_rk, is_dry)
            conductivity_slope(i) = merge(conductivity(i)*curves(i, outer)/h, 0.0_rk, is_dry)
         end do
      case default ! Gardner
         do i = 1, w
            is_dry = head(i) < 0.0_rk
            saturation(i) = exp(max(curves(i, inverse_length)*min(head(i), 0.0_rk), -largest_power))
            saturation_slope(i) = merge(saturation(i)*curves(i, inverse_length), 0.0_rk, is_dry)
            conductivity(i) = saturation(i)
            conductivity_slope(i) = saturation_slope(i)
         end do
      end select
   end subroutine evaluate_soil

   !> 1 - (1 - y)**m for small y: binomial series.
   elemental function small_power(m, y) result(value)
      real(rk), intent(in) :: m !! exponent in (0, 1) [1]
      real(rk), intent(in) :: y !! below `series_range` [1]
      real(rk) :: value         !! relative truncation below 1e-16
      value = m*y*(1.0_rk + (1.0_rk - m)*y/2*(1.0_rk + (2.0_rk - m)*y/3*(1.0_rk + (3.0_rk - m)*y/4 &
                  *(1.0_rk + (4.0_rk - m)*y/5*(1.0_rk + (5.0_rk - m)*y/6)))))
   end function small_power

   !> Head at which a layer has an effective saturation; `wet_head` where it is saturated.
   pure subroutine head_of_water(scheme, curves, saturation, wet_head, head)
      integer, intent(in) :: scheme               !! retention_*
      real(rk), intent(in) :: curves(w, curve_count) !! of the layer
      real(rk), intent(in) :: saturation(w)       !! effective saturation [1]
      real(rk), intent(in) :: wet_head(w)         !! head of a saturated layer [m]
      real(rk), intent(out) :: head(w)            !! [m]
      real(rk), parameter :: lowest = 1.0e-30_rk  !! keeps the logarithm finite; such a soil is drier than any head here
      real(rk) :: s, u, dry
      integer :: i
      select case (scheme)
      case (retention_van_genuchten)
         do i = 1, w
            s = max(min(saturation(i), 1.0_rk), lowest)/curves(i, inverse_saturation)
            u = exp(min(-log(s)/curves(i, outer), largest_power)) - 1.0_rk
            dry = -exp(log(max(u, lowest))/curves(i, power))/curves(i, inverse_length)
            head(i) = merge(wet_head(i), max(min(dry, -curves(i, entry)), 10.0_rk*driest_head), saturation(i) >= 1.0_rk)
         end do
      case (retention_clapp_hornberger)
         do i = 1, w
            s = max(min(saturation(i), 1.0_rk), lowest)
            dry = -exp(min(-log(s)/curves(i, power), largest_power))/curves(i, inverse_length)
            head(i) = merge(wet_head(i), max(min(dry, -curves(i, entry)), 10.0_rk*driest_head), saturation(i) >= 1.0_rk)
         end do
      case default ! Gardner
         do i = 1, w
            s = max(min(saturation(i), 1.0_rk), lowest)
            head(i) = merge(wet_head(i), max(log(s)/curves(i, inverse_length), 10.0_rk*driest_head), saturation(i) >= 1.0_rk)
         end do
      end select
   end subroutine head_of_water

   !> Volumetric water at a head, one layer.
   pure subroutine water_of_head(scheme, curves, porosity, residual, head, water)
      integer, intent(in) :: scheme               !! retention_*
      real(rk), intent(in) :: curves(w, curve_count) !! of the layer
      real(rk), intent(in) :: porosity(w)         !! [m3 m-3]
      real(rk), intent(in) :: residual(w)         !! [m3 m-3]
      real(rk), intent(in) :: head(w)             !! [m]
      real(rk), intent(out) :: water(w)           !! [m3 m-3]
      real(rk) :: saturation(w), saturation_slope(w), conductivity(w), conductivity_slope(w)
      call evaluate_soil(scheme, curves, head, saturation, saturation_slope, conductivity, conductivity_slope)
      water = residual + (porosity - residual)*saturation
   end subroutine water_of_head

end module pl_soil_hydraulics
