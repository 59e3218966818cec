!> Soil water retention and relative conductivity, and their derivatives, in one fused evaluation.
!>
!> van Genuchten (1980), Soil Sci. Soc. Am. J. 44, 892-898, with Mualem's conductivity (l = 0.5) and the air-entry
!> head of Ippisch, Vogel and Bastian (2006), Adv. Water Resour. 29, 1780-1789, without which conductivity has an
!> infinite slope at saturation for n < 2; Clapp and Hornberger (1978), Water Resour. Res. 14, 601-604; Gardner
!> (1958), Soil Sci. 85, 228-232. Heads are in m, negative in unsaturated soil. Curves are prepared once per call
!> (`prepare_curves`), so that an evaluation costs five transcendental functions (van Genuchten) or three.
module pl_soil_hydraulics
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: air_entry_head, curve_count, driest_head, evaluate_soil, head_of_water, prepare_curves, water_of_head
   public :: retention_clapp_hornberger, retention_gardner, retention_van_genuchten

   integer, parameter :: retention_van_genuchten = 1, retention_clapp_hornberger = 2, retention_gardner = 3
   real(rk), parameter :: air_entry_head = 0.01_rk !! default air-entry head of van Genuchten soils [m]
   real(rk), parameter :: driest_head = -1.0e5_rk  !! oven-dry soil, pF 7; the driest that roots and evaporation leave [m]
   real(rk), parameter :: smallest_head = 1.0e-6_rk !! suction below which soil counts as saturated without air entry [m]
   real(rk), parameter :: largest_power = 200.0_rk !! of ln (alpha h)**n: keeps exponentials finite

   ! columns of the prepared curves
   integer, parameter :: log_scale = 1 !! ln alpha, or -ln of the air-entry head
   integer, parameter :: power = 2     !! n, or 1/b
   integer, parameter :: outer = 3     !! m = 1 - 1/n, or 2 + 3/b
   integer, parameter :: entry = 4     !! suction at air entry [m]
   integer, parameter :: inverse_saturation = 5   !! 1 over the unscaled saturation at air entry
   integer, parameter :: inverse_conductivity = 6 !! 1 over the unscaled Mualem term at air entry
   integer, parameter :: curve_count = 6          !! prepared numbers per layer

contains

   !> Prepare the curves of every layer.
   pure subroutine prepare_curves(scheme, nlayer, air_entry, scale, shape, curves)
      integer, intent(in) :: scheme              !! retention_*
      integer, intent(in) :: nlayer              !! [1]
      real(rk), intent(in) :: air_entry          !! air-entry head of van Genuchten soils [m]
      real(rk), intent(in) :: scale(w, nlayer)   !! van Genuchten or Gardner alpha [m-1], or air-entry head [m]
      real(rk), intent(in) :: shape(w, nlayer)   !! n or b [1]; not used by Gardner
      real(rk), intent(out) :: curves(w, nlayer, curve_count)
      real(rk) :: u, y, m, suction
      integer :: i, k
      select case (scheme)
      case (retention_van_genuchten)
         suction = max(air_entry, smallest_head)
         do k = 1, nlayer
            do i = 1, w
               m = 1.0_rk - 1.0_rk/shape(i, k)
               u = exp(min(shape(i, k)*log(scale(i, k)*suction), largest_power))
               y = 1.0_rk/(1.0_rk + u)
               curves(i, k, log_scale) = log(scale(i, k))
               curves(i, k, power) = shape(i, k)
               curves(i, k, outer) = m
               curves(i, k, entry) = suction
               curves(i, k, inverse_saturation) = exp(m*log(1.0_rk + u))
               curves(i, k, inverse_conductivity) = 1.0_rk/(1.0_rk - exp(m*log(u*y)))
            end do
         end do
      case (retention_clapp_hornberger)
         do k = 1, nlayer
            do i = 1, w
               curves(i, k, log_scale) = -log(scale(i, k))
               curves(i, k, power) = 1.0_rk/shape(i, k)
               curves(i, k, outer) = 2.0_rk + 3.0_rk/shape(i, k)
               curves(i, k, entry) = scale(i, k)
               curves(i, k, inverse_saturation) = 1.0_rk
               curves(i, k, inverse_conductivity) = 1.0_rk
            end do
         end do
      case default ! Gardner
         do k = 1, nlayer
            do i = 1, w
               curves(i, k, log_scale) = scale(i, k)
               curves(i, k, power) = 1.0_rk
               curves(i, k, outer) = 1.0_rk
               curves(i, k, entry) = 0.0_rk
               curves(i, k, inverse_saturation) = 1.0_rk
               curves(i, k, inverse_conductivity) = 1.0_rk
            end do
         end do
      end select
   end subroutine prepare_curves

   !> Saturation and relative conductivity with their derivatives, one layer.
   pure subroutine evaluate_soil(scheme, curves, head, saturation, saturation_slope, conductivity, conductivity_slope)
      integer, intent(in) :: scheme               !! retention_*
      real(rk), intent(in) :: curves(w, curve_count) !! of the layer
      real(rk), intent(in) :: head(w)             !! [m]
      real(rk), intent(out) :: saturation(w)      !! effective saturation [1]
      real(rk), intent(out) :: saturation_slope(w) !! derivative to head [m-1]
      real(rk), intent(out) :: conductivity(w)    !! relative conductivity [1]
      real(rk), intent(out) :: conductivity_slope(w) !! derivative to head [m-1]
      real(rk) :: h, log_h, u, y, g, f, n, m, logarithm, rate
      logical :: is_dry
      integer :: i
      select case (scheme)
      case (retention_van_genuchten)
         do i = 1, w
            is_dry = -head(i) > curves(i, entry)
            h = max(-head(i), curves(i, entry))
            n = curves(i, power)
            m = curves(i, outer)
            log_h = min(n*(log(h) + curves(i, log_scale)), largest_power)
            u = exp(log_h)
            logarithm = log(1.0_rk + u)
            y = 1.0_rk/(1.0_rk + u)
            g = exp(m*(log_h - logarithm))
            ! 1 - (1 - y)**m, by its series where the difference would cancel
            f = merge(m*y*(1.0_rk + 0.5_rk*(1.0_rk - m)*y*(1.0_rk + (2.0_rk - m)*y/3.0_rk)), 1.0_rk - g, y < 1.0e-4_rk)
            rate = m*n*y/h
            saturation(i) = merge(exp(-m*logarithm)*curves(i, inverse_saturation), 1.0_rk, is_dry)
            saturation_slope(i) = merge(saturation(i)*rate*u, 0.0_rk, is_dry)
            conductivity(i) = merge(sqrt(saturation(i))*(f*curves(i, inverse_conductivity))**2, 1.0_rk, is_dry)
            conductivity_slope(i) = merge(conductivity(i)*rate*(0.5_rk*u + 2.0_rk*g/f), 0.0_rk, is_dry)
         end do
      case (retention_clapp_hornberger)
         do i = 1, w
            is_dry = -head(i) > curves(i, entry)
            h = max(-head(i), curves(i, entry))
            log_h = log(h) + curves(i, log_scale)
            saturation(i) = merge(exp(-curves(i, power)*log_h), 1.0_rk, is_dry)
            saturation_slope(i) = merge(saturation(i)*curves(i, power)/h, 0.0_rk, is_dry)
            conductivity(i) = merge(exp(-curves(i, outer)*log_h), 1.0_rk, is_dry)
            conductivity_slope(i) = merge(conductivity(i)*curves(i, outer)/h, 0.0_rk, is_dry)
         end do
      case default ! Gardner
         do i = 1, w
            is_dry = head(i) < 0.0_rk
            saturation(i) = exp(max(curves(i, log_scale)*min(head(i), 0.0_rk), -largest_power))
            saturation_slope(i) = merge(saturation(i)*curves(i, log_scale), 0.0_rk, is_dry)
            conductivity(i) = saturation(i)
            conductivity_slope(i) = saturation_slope(i)
         end do
      end select
   end subroutine evaluate_soil

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
            dry = -exp(log(max(u, lowest))/curves(i, power) - curves(i, log_scale))
            head(i) = merge(wet_head(i), max(min(dry, -curves(i, entry)), 10.0_rk*driest_head), saturation(i) >= 1.0_rk)
         end do
      case (retention_clapp_hornberger)
         do i = 1, w
            s = max(min(saturation(i), 1.0_rk), lowest)
            dry = -exp(min(-log(s)/curves(i, power), largest_power) - curves(i, log_scale))
            head(i) = merge(wet_head(i), max(min(dry, -curves(i, entry)), 10.0_rk*driest_head), saturation(i) >= 1.0_rk)
         end do
      case default ! Gardner
         do i = 1, w
            s = max(min(saturation(i), 1.0_rk), lowest)
            head(i) = merge(wet_head(i), max(log(s)/curves(i, log_scale), 10.0_rk*driest_head), saturation(i) >= 1.0_rk)
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
