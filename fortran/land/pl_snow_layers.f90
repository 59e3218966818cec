!> Layers of the snow pack: thin ones join a neighbour, thick ones are divided, a trace of snow is given up.
!>
!> Thickness limits and rules of the CLM5 Technical Note, chapter 8 (after Jordan 1991, CRREL Special
!> Report 91-16). Snow has no least depth: the last layer stays, however thin, until remove_trace takes it.
module pl_snow_layers
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_ice, freezing_point, heat_capacity_ice, heat_capacity_water, latent_fusion
   use pl_kinds, only: rk
   use pl_snow_chunk, only: least_snow_mass, most_snow_layers, smallest_grain, snow_chunk_type, snow_mass
   use pl_snow_cover, only: least_cover
   use pl_snow_water, only: gone_ice
   implicit none (type, external)
   private
   public :: combine_and_divide, largest_above, largest_lowest, least_thickness, remove_trace

   !> Least thickness by position from the surface; a thinner layer joins a neighbour [m].
   real(rk), parameter :: least_thickness(most_snow_layers) = &
      [0.010_rk, 0.015_rk, 0.025_rk, 0.055_rk, 0.115_rk, 0.235_rk, 0.475_rk, 0.955_rk, 1.915_rk, 3.835_rk, 7.675_rk, &
       15.355_rk]
   !> Largest thickness of the lowest layer if more layers may exist [m].
   real(rk), parameter :: largest_lowest(most_snow_layers - 1) = &
      [0.03_rk, 0.07_rk, 0.18_rk, 0.41_rk, 0.88_rk, 1.83_rk, 3.74_rk, 7.57_rk, 15.24_rk, 30.59_rk, 61.30_rk]
   !> Largest thickness of a layer with another below it [m].
   real(rk), parameter :: largest_above(most_snow_layers - 1) = &
      [0.02_rk, 0.05_rk, 0.11_rk, 0.23_rk, 0.47_rk, 0.95_rk, 1.91_rk, 3.83_rk, 7.67_rk, 15.35_rk, 30.71_rk]

   !> Content of one layer.
   type :: layer_type
      real(rk) :: ice          !! [kg m-2]
      real(rk) :: liquid       !! [kg m-2]
      real(rk) :: thickness    !! [m]
      real(rk) :: temperature  !! [K]
      real(rk) :: grain_radius !! [um]
      real(rk) :: dust_age     !! [day]
   end type layer_type

contains

   !> Bring all layers within their limits of thickness.
   !>
   !> Conserves mass and enthalpy; ice and liquid too, unless cold snow and water come together and some freezes.
   pure subroutine combine_and_divide(snow)
      type(snow_chunk_type), intent(inout) :: snow
      type(layer_type) :: layers(most_snow_layers)
      integer :: count, i, k, top
      logical :: wanting(w)
      if (all(snow%top > snow%nsnow)) return
      wanting = out_of_limits(snow)
      do i = 1, w
         if (.not. wanting(i)) cycle
         top = snow%top(i)
         count = snow%nsnow - top + 1
         do k = 1, count
            layers(k) = layer_type(snow%ice(i, top + k - 1), snow%liquid(i, top + k - 1), &
                                   snow%thickness(i, top + k - 1), snow%temperature(i, top + k - 1), &
                                   snow%grain_radius(i, top + k - 1), snow%dust_age(i, top + k - 1))
         end do
         call combine_thin(max(snow%cover(i), least_cover), count, layers)
         call divide_thick(max(snow%cover(i), least_cover), snow%nsnow, count, layers)
         call store_layers(i, count, layers, snow)
      end do
   end subroutine combine_and_divide

   !> Find the lanes with a layer too thin, too thick or without ice.
   pure function out_of_limits(snow) result(wanting)
      type(snow_chunk_type), intent(in) :: snow
      logical :: wanting(w)
      real(rk) :: largest
      integer :: i, k, place
      logical :: alone
      wanting = .false.
      do k = 1, snow%nsnow
         do i = 1, w
            place = max(k - snow%top(i) + 1, 1)
            alone = snow%top(i) == snow%nsnow
            largest = largest_above(min(place, most_snow_layers - 1))
            if (k == snow%nsnow) largest = largest_lowest(min(place, most_snow_layers - 1))
            if (place == snow%nsnow) largest = huge(largest)
            wanting(i) = wanting(i) .or. (k >= snow%top(i) .and. (snow%thickness(i, k) > largest .or. &
               (.not. alone .and. (snow%thickness(i, k) < least_thickness(place) .or. snow%ice(i, k) <= gone_ice))))
         end do
      end do
   end function out_of_limits

   !> Join thin layers and those without ice to a neighbour: the surface layer to the one below, the lowest to the one
   !> above, any other to the thinner neighbour; a layer without ice to the one below.
   pure subroutine combine_thin(cover, count, layers)
      real(rk), intent(in) :: cover   !! snow-covered share of the ground [1]
      integer, intent(inout) :: count !! layers, from the surface [1]
      type(layer_type), intent(inout) :: layers(most_snow_layers)
      integer :: place, upper
      place = 1
      do while (place <= count .and. count > 1)
         if (layers(place)%thickness >= least_thickness(place) .and. layers(place)%ice > gone_ice) then
            place = place + 1
            cycle
         end if
         upper = place ! of the two layers that join
         if (place == count) then
            upper = place - 1
         else if (place > 1 .and. layers(place)%ice > gone_ice) then
            if (layers(place - 1)%thickness < layers(place + 1)%thickness) upper = place - 1
         end if
         layers(upper) = joined(cover, layers(upper), layers(upper + 1))
         layers(upper + 1:count - 1) = layers(upper + 2:count)
         count = count - 1
         place = upper ! the next ones move to places with smaller limits, those above keep theirs
      end do
   end subroutine combine_thin

   !> Divide thick layers, from the surface down.
   !>
   !> The lowest layer is cut into halves while layers are to be had; from any other what is too much goes down.
   !> Water without ice stays one layer: it has no thickness that counts.
   pure subroutine divide_thick(cover, nsnow, count, layers)
      real(rk), intent(in) :: cover   !! snow-covered share of the ground [1]
      integer, intent(in) :: nsnow    !! layers that may exist [1]
      integer, intent(inout) :: count !! layers, from the surface [1]
      type(layer_type), intent(inout) :: layers(most_snow_layers)
      type(layer_type) :: above, surplus
      real(rk) :: share
      integer :: place
      do place = 1, nsnow - 1
         if (place > count) exit
         if (place == count .and. layers(place)%ice > gone_ice &
             .and. layers(place)%thickness > largest_lowest(place)) then
            above = layers(max(place - 1, 1)) ! for the only layer itself: no gradient
            call halve(above, layers(place), layers(place + 1))
            count = count + 1
         end if
         if (place < count .and. layers(place)%thickness > largest_above(place)) then
            share = (layers(place)%thickness - largest_above(place))/layers(place)%thickness
            surplus = layers(place)
            surplus%ice = share*layers(place)%ice
            surplus%liquid = share*layers(place)%liquid
            surplus%thickness = layers(place)%thickness - largest_above(place)
            layers(place)%ice = layers(place)%ice - surplus%ice
            layers(place)%liquid = layers(place)%liquid - surplus%liquid
            layers(place)%thickness = largest_above(place)
            layers(place + 1) = joined(cover, surplus, layers(place + 1))
         end if
      end do
   end subroutine divide_thick

   !> Cut the lowest layer into two equal halves that follow the temperature gradient to the layer above.
   !>
   !> Both keep the temperature where the lower half would reach the freezing point.
   pure subroutine halve(above, upper, lower)
      type(layer_type), intent(in) :: above    !! the layer above
      type(layer_type), intent(inout) :: upper !! whole layer, then its upper half
      type(layer_type), intent(out) :: lower   !! its lower half
      real(rk) :: change
      upper%ice = 0.5_rk*upper%ice
      upper%liquid = 0.5_rk*upper%liquid
      ! from the middle of the whole to that of a half: a quarter of the thickness
      change = 0.5_rk*upper%thickness*(upper%temperature - above%temperature)/(above%thickness + upper%thickness)
      upper%thickness = 0.5_rk*upper%thickness
      lower = upper
      if (lower%temperature + change >= freezing_point) return
      lower%temperature = lower%temperature + change
      upper%temperature = upper%temperature - change
   end subroutine halve

   !> Mix two layers: masses and thicknesses add, enthalpy is conserved, radii are averaged by mass.
   !>
   !> Water without ice has no thickness of its own: it enters the pores of its neighbour.
   !> Where the mixture is below freezing and holds water, water freezes until it is at the freezing point or all ice.
   pure function joined(cover, a, b) result(c)
      real(rk), intent(in) :: cover !! snow-covered share of the ground [1]
      type(layer_type), intent(in) :: a
      type(layer_type), intent(in) :: b
      type(layer_type) :: c
      real(rk) :: heat, capacity, mass_a, mass_b, frozen
      mass_a = a%ice + a%liquid
      mass_b = b%ice + b%liquid
      c = b
      if (mass_a + mass_b > 0.0_rk) then
         c%grain_radius = (mass_a*a%grain_radius + mass_b*b%grain_radius)/(mass_a + mass_b)
         c%dust_age = (mass_a*a%dust_age + mass_b*b%dust_age)/(mass_a + mass_b)
      end if
      c%ice = a%ice + b%ice
      c%liquid = a%liquid + b%liquid
      c%thickness = a%thickness + b%thickness
      if (a%ice <= gone_ice .neqv. b%ice <= gone_ice) c%thickness = merge(b%thickness, a%thickness, a%ice <= gone_ice)
      c%thickness = max(c%thickness, c%ice/(density_ice*cover))
      ! heat of the ice below the freezing point; liquid water is at it
      heat = heat_capacity_ice*(a%ice*(a%temperature - freezing_point) + b%ice*(b%temperature - freezing_point))
      if (c%liquid > 0.0_rk .and. heat < 0.0_rk) then
         frozen = min(-heat/latent_fusion, c%liquid)
         heat = merge(0.0_rk, heat + latent_fusion*c%liquid, frozen < c%liquid)
         c%ice = c%ice + frozen
         c%liquid = merge(c%liquid - frozen, 0.0_rk, frozen < c%liquid)
         c%thickness = max(c%thickness, c%ice/(density_ice*cover))
      end if
      capacity = heat_capacity_ice*c%ice + heat_capacity_water*c%liquid
      c%temperature = freezing_point
      if (capacity > 0.0_rk) c%temperature = freezing_point + heat/capacity
   end function joined

   !> Put the layers of one lane back to the bottom of the pack.
   pure subroutine store_layers(i, count, layers, snow)
      integer, intent(in) :: i     !! lane
      integer, intent(in) :: count !! layers, from the surface [1]
      type(layer_type), intent(in) :: layers(most_snow_layers)
      type(snow_chunk_type), intent(inout) :: snow
      integer :: k, top
      top = snow%nsnow - count + 1
      snow%top(i) = top
      snow%ice(i, :top - 1) = 0.0_rk
      snow%liquid(i, :top - 1) = 0.0_rk
      snow%thickness(i, :top - 1) = 0.0_rk
      snow%temperature(i, :top - 1) = freezing_point
      snow%grain_radius(i, :top - 1) = smallest_grain
      snow%dust_age(i, :top - 1) = 0.0_rk
      do k = 1, count
         snow%ice(i, top + k - 1) = layers(k)%ice
         snow%liquid(i, top + k - 1) = layers(k)%liquid
         snow%thickness(i, top + k - 1) = layers(k)%thickness
         snow%temperature(i, top + k - 1) = layers(k)%temperature
         snow%grain_radius(i, top + k - 1) = layers(k)%grain_radius
         snow%dust_age(i, top + k - 1) = layers(k)%dust_age
      end do
   end subroutine store_layers

   !> Give up packs with less than the least mass: the lanes have no snow then, and what they had is returned.
   pure subroutine remove_trace(snow, ice, liquid, heat)
      type(snow_chunk_type), intent(inout) :: snow
      real(rk), intent(out) :: ice(w)    !! removed [kg m-2]
      real(rk), intent(out) :: liquid(w) !! removed [kg m-2]
      real(rk), intent(out) :: heat(w)   !! enthalpy of both, 0 for ice at the freezing point [J m-2]
      real(rk) :: mass(w), sensible
      logical :: trace(w)
      integer :: i, k
      ice = 0.0_rk
      liquid = 0.0_rk
      heat = 0.0_rk
      if (all(snow%top > snow%nsnow)) return
      call snow_mass(snow, mass)
      trace = mass < least_snow_mass .and. snow%top <= snow%nsnow
      if (.not. any(trace)) return
      do k = 1, snow%nsnow
         do i = 1, w
            sensible = heat_capacity_ice*snow%ice(i, k)*(snow%temperature(i, k) - freezing_point)
            ice(i) = ice(i) + merge(snow%ice(i, k), 0.0_rk, trace(i))
            liquid(i) = liquid(i) + merge(snow%liquid(i, k), 0.0_rk, trace(i))
            heat(i) = heat(i) + merge(sensible + latent_fusion*snow%liquid(i, k), 0.0_rk, trace(i))
            snow%ice(i, k) = merge(0.0_rk, snow%ice(i, k), trace(i))
            snow%liquid(i, k) = merge(0.0_rk, snow%liquid(i, k), trace(i))
            snow%thickness(i, k) = merge(0.0_rk, snow%thickness(i, k), trace(i))
            snow%temperature(i, k) = merge(freezing_point, snow%temperature(i, k), trace(i))
            snow%grain_radius(i, k) = merge(smallest_grain, snow%grain_radius(i, k), trace(i))
            snow%dust_age(i, k) = merge(0.0_rk, snow%dust_age(i, k), trace(i))
         end do
      end do
      snow%top = merge(snow%nsnow + 1, snow%top, trace)
      snow%age = merge(0.0_rk, snow%age, trace)
      snow%cover = merge(0.0_rk, snow%cover, trace)
      snow%mass_maximum = merge(0.0_rk, snow%mass_maximum, trace)
   end subroutine remove_trace

end module pl_snow_layers
